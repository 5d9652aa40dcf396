/** Inline Markdown as DOM nodes. Text only ever becomes text nodes; links go to http and https addresses only. */

import { element } from './dom.js';

const DELIMITERS = ['**', '__', '~~', '*', '_'];
const TAGS = { '**': 'strong', __: 'strong', '~~': 'del', '*': 'em', _: 'em' };
const MAX_DEPTH = 12;

/** Appends `text` to `parent`. */
export function appendInline(parent, text, depth = 0) {
  if (depth > MAX_DEPTH) {
    parent.append(text);
    return;
  }
  const unclosed = new Set(); // what has no end in the rest of the text, so that no part is searched again and again
  let plain = '';
  const flush = () => {
    if (plain) parent.append(plain);
    plain = '';
  };
  let at = 0;
  while (at < text.length) {
    const found = escape(text, at) ?? code(text, at, unclosed) ?? link(text, at, unclosed, depth) ?? address(text, at)
      ?? emphasis(text, at, unclosed, depth) ?? lineBreak(text, at);
    if (found) {
      if (found.node === 'text') plain += found.text;
      else {
        flush();
        parent.append(found.node);
      }
      at = found.end;
    } else {
      plain += text[at++];
    }
  }
  flush();
}

function escape(text, at) {
  return text[at] === '\\' && /[!-/:-@[-`{-~]/.test(text[at + 1] ?? '') ? { node: 'text', text: text[at + 1], end: at + 2 } : null;
}

function lineBreak(text, at) {
  return text[at] === '\n' ? { node: element('br'), end: at + 1 } : null;
}

function code(text, at, unclosed) {
  if (text[at] !== '`') return null;
  const ticks = /^`+/.exec(text.slice(at))[0];
  const close = unclosed.has(ticks) ? -1 : closingTicks(text, at + ticks.length, ticks);
  if (close < 0) {
    unclosed.add(ticks);
    return { node: 'text', text: ticks, end: at + ticks.length };
  }
  const inside = text.slice(at + ticks.length, close).replace(/\n/g, ' ');
  const trimmed = /^ .*[^ ].* $/.test(inside) ? inside.slice(1, -1) : inside;
  return { node: element('code', { text: trimmed }), end: close + ticks.length };
}

function closingTicks(text, from, ticks) {
  for (let at = text.indexOf(ticks, from); at >= 0; ) {
    let end = at;
    while (text[end] === '`') end++;
    if (end - at === ticks.length) return at;
    at = text.indexOf(ticks, end);
  }
  return -1;
}

function link(text, at, unclosed, depth) {
  const image = text.startsWith('![', at);
  if ((text[at] !== '[' && !image) || unclosed.has('](')) return null;
  const open = at + (image ? 2 : 1);
  const middle = text.indexOf('](', open);
  if (middle < 0) {
    unclosed.add('](');
    return null;
  }
  const label = text.slice(open, middle);
  const target = /^\s*<?([^\s<>()]*(?:\([^\s<>()]*\)[^\s<>()]*)*)>?(?:\s+(?:"[^"]*"|'[^']*'))?\s*\)/.exec(text.slice(middle + 2, middle + 2050));
  if (!target || label.includes('[')) return null;
  const end = middle + 2 + target[0].length;
  const anchor = anchorTo(target[1]);
  if (!anchor) return { node: 'text', text: text.slice(at, end), end };
  appendInline(anchor, label || target[1], depth + MAX_DEPTH); // no links and no emphasis in a label
  return { node: anchor, end };
}

function address(text, at) {
  if (text[at] !== 'h' && text[at] !== '<') return null;
  const found = /^<(https?:\/\/[^\s<>]+)>|^https?:\/\/[^\s<>]*[^\s<>.,:;!?'"*_~)\]]/.exec(text.slice(at, at + 2050));
  if (!found || /\w/.test(text[at - 1] ?? '')) return null;
  const anchor = anchorTo(found[1] ?? found[0]);
  if (!anchor) return null;
  anchor.append(found[1] ?? found[0]);
  return { node: anchor, end: at + found[0].length };
}

function anchorTo(target) {
  const url = /^https?:\/\//i.test(target) && URL.canParse(target) ? target : null;
  return url && element('a', { href: url, target: '_blank', rel: 'noopener noreferrer nofollow' });
}

function emphasis(text, at, unclosed, depth) {
  const mark = DELIMITERS.find((each) => text.startsWith(each, at));
  if (!mark || unclosed.has(mark)) return null;
  const start = at + mark.length;
  const inWord = mark[0] === '_' && /\w/.test(text[at - 1] ?? '');
  if (inWord || /\s|^$/.test(text[start] ?? '')) return { node: 'text', text: mark, end: start };
  const close = closing(text, start + 1, mark);
  if (close < 0) {
    unclosed.add(mark);
    return { node: 'text', text: mark, end: start };
  }
  const node = element(TAGS[mark]);
  appendInline(node, text.slice(start, close), depth + 1);
  return { node, end: close + mark.length };
}

function closing(text, from, mark) {
  for (let at = from; at < text.length; at++) {
    if (text[at] === '\\') at++;
    else if (text[at] === '`') {
      const ticks = /^`+/.exec(text.slice(at))[0];
      const close = closingTicks(text, at + ticks.length, ticks);
      at = (close < 0 ? at : close) + ticks.length - 1;
    } else if (text.startsWith(mark, at) && !/\s/.test(text[at - 1])) {
      if (mark.length === 1 && text[at + 1] === mark && text[at + 2] !== mark) at++; // a double mark inside a single one
      else if (mark.length === 2 && text[at + 2] === mark[0] && text[at + 3] !== mark[0]) return at + 1; // '***' ends both
      else if (mark[0] !== '_' || !/\w/.test(text[at + mark.length] ?? '')) return at;
    }
  }
  return -1;
}
