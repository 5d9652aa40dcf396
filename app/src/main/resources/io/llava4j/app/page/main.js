/** Puts the page together. */

import { announce, byId, element } from './dom.js';
import { Chat } from './chat.js';
import { Composer } from './composer.js';
import { examples } from './examples.js';
import { History } from './history.js';
import { filesOf, readImage } from './images.js';
import { address, health, key, modelName } from './server.js';
import { Settings } from './settings.js';
import { Sidebar } from './sidebar.js';
import { Thread } from './thread.js';

const settings = new Settings();
const history = await History.open();
const chat = new Chat(history, settings);
const thread = new Thread(chat);
const composer = new Composer(byId('composer'), {
  id: 'prompt', label: 'Question', placeholder: 'Ask about an image',
  onsend: (text, images) => { chat.send(text, images); toEnd(); },
  onstop: () => chat.stop(),
});
const sidebar = new Sidebar(chat, () => composer.focus());
const scroller = byId('scroller');
let followed = true;

chat.addEventListener('thread', () => {
  thread.show();
  byId('empty').hidden = chat.current.messages.length > 0;
  byId('thread-title').hidden = !byId('empty').hidden;
  byId('thread-title').textContent = chat.current.title;
  document.title = chat.current.title ? `${chat.current.title} – llava4j` : 'llava4j';
  toEnd();
});
chat.addEventListener('list', () => { composer.busy = chat.isRunning(); });
chat.addEventListener('message', ({ detail }) => thread.update(detail, follow));
chat.addEventListener('finished', ({ detail }) => {
  if (chat.current.messages.includes(detail)) announce(detail.state === 'done' ? `Answer: ${detail.text}` : detail.state === 'stopped' ? 'Stopped.' : '');
});
chat.addEventListener('unsaved', ({ detail }) => notice(detail));
chat.addEventListener('server', () => watch());
chat.addEventListener('key', ({ detail }) => askForKey(detail));

byId('examples').append(...examples.map(({ file, question }) => element('li', {}, element('button', {
  type: 'button', on: { click: () => tryExample(file, question) },
}, element('img', { src: file, alt: '' }), element('span', { text: question })))));

async function tryExample(file, question) {
  const blob = await (await fetch(file)).blob();
  const image = await readImage(new File([blob], file.split('/').at(-1), { type: blob.type }));
  chat.send(question, [image]);
  composer.focus();
}

// Scrolling: an answer that grows is followed until the reader scrolls up.
scroller.addEventListener('scroll', () => {
  followed = scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight < 48;
  byId('latest').hidden = followed;
}, { passive: true });
byId('latest').addEventListener('click', () => { toEnd(); composer.focus(); });

function toEnd() {
  followed = true;
  follow();
}

function follow() {
  if (followed) scroller.scrollTop = scroller.scrollHeight;
}

// Images dropped anywhere go to the question being written; one that is being edited goes first.
let dragDepth = 0;
const hasFiles = (event) => event.dataTransfer?.types.includes('Files');
addEventListener('dragenter', (event) => { if (hasFiles(event)) byId('drop').hidden = ++dragDepth === 0; });
addEventListener('dragleave', (event) => { if (hasFiles(event)) byId('drop').hidden = --dragDepth <= 0; });
addEventListener('dragover', (event) => hasFiles(event) && event.preventDefault());
addEventListener('drop', (event) => {
  if (!hasFiles(event)) return;
  event.preventDefault();
  dragDepth = 0;
  byId('drop').hidden = true;
  const edited = event.target.closest?.('.question')?.composer;
  (edited?.isShown ? edited : composer).add(filesOf(event.dataTransfer));
});

addEventListener('keydown', (event) => {
  if (event.key !== 'Escape' || document.querySelector('dialog[open]')) return;
  if (sidebar.isOpen) sidebar.close();
  else chat.stop();
});

function notice(text) {
  byId('notice').hidden = !text;
  byId('notice').textContent = text;
}

// The server: asked until it is ready, then left alone until something fails.
let watching = false;
async function watch() {
  if (watching) return;
  watching = true;
  let before = null;
  for (;;) {
    const state = await health();
    byId('model').dataset.state = state;
    if (state === 'ready') break;
    if (state !== before) {
      byId('model-name').textContent = state === 'loading' ? 'loading the model…' : 'not reachable';
      notice(state === 'loading' ? 'The server is loading the model. You can already write; questions are answered when it is ready.'
        : `The server at ${address} cannot be reached. Check that llava serve is running there; this page tries again every second.`);
    }
    before = state;
    await new Promise((done) => setTimeout(done, 1000));
  }
  watching = false;
  notice('');
  if (before) announce('The server is ready.');
  await name();
}

async function name() {
  try {
    chat.model = await modelName();
    byId('model-name').textContent = chat.model;
    byId('model').title = `${chat.model} at ${address}`;
  } catch (cause) {
    byId('model-name').textContent = 'unknown model';
    if (cause.kind === 'key') askForKey(cause.message);
    else notice(cause.message);
  }
}

function askForKey(reason) {
  const dialog = byId('key');
  if (dialog.open) return;
  byId('key-reason').textContent = reason;
  byId('key-value').value = '';
  dialog.returnValue = 'cancel';
  dialog.onclose = async () => {
    if (dialog.returnValue !== 'ok') return;
    key.value = byId('key-value').value;
    await name();
    const last = chat.current.messages.at(-1);
    if (chat.model && last?.state === 'failed') chat.regenerate(last);
  };
  dialog.showModal();
}

// Enter in the field would press the first button that submits, so this one does not.
byId('key-cancel').addEventListener('click', () => byId('key').close('cancel'));
byId('viewer').addEventListener('click', () => byId('viewer').close());
if (!history.persistent) {
  byId('kept').textContent = 'This browser stores nothing here: conversations end with the tab.';
}
try {
  await chat.load();
} catch (cause) {
  notice(`The conversations in this browser cannot be read: ${cause.message}`);
}
composer.focus();
watch();
