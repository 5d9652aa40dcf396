/**
 * Markdown of a model's answer as DOM nodes: headings, paragraphs, lists, quotes, tables, fenced code, rules. HTML in the text
 * stays text. Drawing a longer text again keeps the nodes of blocks that did not change, so a streamed answer can be selected.
 */

import { copy, element, icon } from './dom.js';
import { appendInline } from './inline.js';

const FENCE = /^ {0,3}(`{3,}|~{3,})\s*([^`]*)$/;
const HEADING = /^ {0,3}(#{1,6})[ \t]+(.*?)[ \t]*#*[ \t]*$/;
const RULE = /^ {0,3}(?:(?:\*[ \t]*){3,}|(?:-[ \t]*){3,}|(?:_[ \t]*){3,})$/;
const QUOTE = /^ {0,3}> ?/;
const ITEM = /^( *)([-*+]|\d{1,9}[.)])([ \t]+|$)/;
const COLUMNS = /^\s*\|?\s*:?-+:?\s*(?:\|\s*:?-+:?\s*)*\|?\s*$/;
const MAX_DEPTH = 8;

/** Makes `container` show `text`. */
export function renderMarkdown(container, text) {
  const blocks = split(text.replace(/\r\n?/g, '\n').split('\n'), 0);
  blocks.forEach((block, index) => {
    const shown = container.children[index];
    if (shown?.source === block.source) return;
    const node = block.draw();
    node.source = block.source;
    if (shown) shown.replaceWith(node);
    else container.append(node);
  });
  while (container.children.length > blocks.length) container.lastElementChild.remove();
}

/** The blocks of some lines: {source, draw}. */
function split(lines, depth) {
  const blocks = [];
  let at = 0;
  while (at < lines.length) {
    if (!lines[at].trim()) {
      at++;
      continue;
    }
    const block = fence(lines, at) ?? heading(lines, at) ?? rule(lines, at)
      ?? (depth < MAX_DEPTH ? quote(lines, at, depth) ?? list(lines, at, depth) : null) ?? table(lines, at) ?? paragraph(lines, at);
    blocks.push({ source: lines.slice(at, block.end).join('\n') + (block.end < lines.length ? '\n' : ''), draw: block.draw });
    at = block.end;
  }
  return blocks;
}

function drawAll(parent, lines, depth) {
  split(lines, depth).forEach((block) => parent.append(block.draw()));
  return parent;
}

function fence(lines, at) {
  const open = FENCE.exec(lines[at]);
  if (!open) return null;
  const close = new RegExp(`^ {0,3}${open[1][0]}{${open[1].length},}\\s*$`);
  let end = at + 1;
  while (end < lines.length && !close.test(lines[end])) end++;
  const body = lines.slice(at + 1, end).join('\n');
  const language = open[2].trim().split(/\s/)[0].slice(0, 30);
  return { end: Math.min(end + 1, lines.length), draw: () => codeBlock(body, language) };
}

function codeBlock(body, language) {
  const button = element('button', { type: 'button', class: 'icon', 'aria-label': 'Copy the code', title: 'Copy the code' }, icon('copy'));
  button.addEventListener('click', () => copy(body, button));
  return element('figure', { class: 'code' },
    element('figcaption', {}, element('span', { text: language || 'text' }), button),
    element('pre', { tabindex: '0', 'aria-label': `Code${language ? `, ${language}` : ''}` }, element('code', { text: body })));
}

function heading(lines, at) {
  const found = HEADING.exec(lines[at]);
  return found && { end: at + 1, draw: () => inline(`h${Math.min(found[1].length + 2, 6)}`, found[2]) };
}

function rule(lines, at) {
  return RULE.test(lines[at]) ? { end: at + 1, draw: () => element('hr') } : null;
}

function quote(lines, at, depth) {
  if (!QUOTE.test(lines[at])) return null;
  let end = at;
  while (end < lines.length && (QUOTE.test(lines[end]) || (lines[end].trim() && !startsBlock(lines, end)))) end++;
  const inside = lines.slice(at, end).map((line) => line.replace(QUOTE, ''));
  return { end, draw: () => drawAll(element('blockquote'), inside, depth + 1) };
}

function list(lines, at, depth) {
  const first = ITEM.exec(lines[at]);
  if (!first) return null;
  const kind = (found) => found[2].at(-1);
  const items = [];
  let end = at;
  let indent = 0;
  for (; end < lines.length; end++) {
    const line = lines[end];
    const found = RULE.test(line) ? null : ITEM.exec(line);
    if (found && found[1].length < Math.max(indent, first[1].length + 2) && kind(found) === kind(first)) {
      indent = found[1].length + found[2].length + Math.min(Math.max(found[3].length, 1), 4);
      items.push([line.slice(found[0].length)]);
    } else if (!line.trim()) {
      const next = lines.slice(end + 1).find((each) => each.trim());
      const again = next && ITEM.exec(next);
      if (!next || (leading(next) < 2 && !(again && kind(again) === kind(first)))) break;
      items.at(-1).push('');
    } else if (leading(line) >= Math.min(indent, 2) || !(startsBlock(lines, end) || !lines[end - 1].trim())) {
      items.at(-1).push(line.slice(Math.min(leading(line), indent)));
    } else break;
  }
  const ordered = /\d/.test(first[2]);
  return {
    end,
    draw: () => element(ordered ? 'ol' : 'ul', { start: ordered ? String(parseInt(first[2], 10)) : null },
      ...items.map((item) => drawAll(element('li'), item, depth + 1))),
  };
}

function table(lines, at) {
  if (at + 1 >= lines.length || !lines[at].includes('|') || !COLUMNS.test(lines[at + 1])) return null;
  const head = cells(lines[at]);
  const align = cells(lines[at + 1]).map((cell) => (cell.endsWith(':') ? (cell.startsWith(':') ? 'center' : 'end') : 'start'));
  if (head.length !== align.length) return null;
  let end = at + 2;
  while (end < lines.length && lines[end].includes('|')) end++;
  const row = (tag, texts) => element('tr', {}, ...head.map((_, index) => inline(tag, texts[index] ?? '', { class: `to-${align[index]}` })));
  return {
    end,
    draw: () => element('div', { class: 'table', tabindex: '0', role: 'region', 'aria-label': 'Table' }, element('table', {},
      element('thead', {}, row('th', head)),
      element('tbody', {}, ...lines.slice(at + 2, end).map((line) => row('td', cells(line)))))),
  };
}

function cells(line) {
  const inside = line.trim().replace(/^\|/, '').replace(/(^|[^\\])\|$/, '$1');
  return inside.split(/(?<!\\)\|/).map((cell) => cell.trim().replace(/\\\|/g, '|'));
}

function paragraph(lines, at) {
  let end = at + 1;
  while (end < lines.length && lines[end].trim() && !startsBlock(lines, end)) end++;
  const text = lines.slice(at, end).map((line) => line.trim()).join('\n');
  return { end, draw: () => inline('p', text) };
}

function startsBlock(lines, at) {
  const line = lines[at];
  return FENCE.test(line) || HEADING.test(line) || RULE.test(line) || QUOTE.test(line) || ITEM.test(line)
    || (line.includes('|') && COLUMNS.test(lines[at + 1] ?? ''));
}

function inline(tag, text, properties = {}) {
  const made = element(tag, properties);
  appendInline(made, text);
  return made;
}

function leading(line) {
  return line.length - line.trimStart().length;
}
