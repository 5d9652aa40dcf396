/** The list of conversations; a drawer on a phone. */

import { byId, element, iconButton } from './dom.js';

export class Sidebar {
  #chat;

  constructor(chat, focusComposer) {
    this.#chat = chat;
    byId('new-chat').addEventListener('click', () => {
      chat.open(null);
      this.close(false);
      focusComposer();
    });
    byId('open-sidebar').addEventListener('click', () => this.#open());
    byId('close-sidebar').addEventListener('click', () => this.close());
    byId('shade').addEventListener('click', () => this.close());
    chat.addEventListener('list', () => this.#show());
  }

  get isOpen() {
    return document.body.classList.contains('sidebar-open');
  }

  close(refocus = true) {
    if (!this.isOpen) return;
    this.#toggle(false);
    if (refocus) byId('open-sidebar').focus();
  }

  #open() {
    this.#toggle(true);
    byId('close-sidebar').focus();
  }

  #toggle(open) {
    document.body.classList.toggle('sidebar-open', open);
    byId('shade').hidden = !open;
    byId('stage').inert = open;
    byId('open-sidebar').setAttribute('aria-expanded', String(open));
  }

  #show() {
    const { conversations, current } = this.#chat;
    byId('conversations').replaceChildren(...conversations.map((each) => this.#entry(each, each === current)));
  }

  #entry(conversation, isCurrent) {
    const open = element('button', {
      type: 'button', class: 'open', title: conversation.title, 'aria-current': isCurrent ? 'true' : null,
      on: { click: () => { this.#chat.open(conversation.id); this.close(); } },
    }, element('span', { text: conversation.title }));
    if (this.#chat.isRunning(conversation)) open.append(element('span', { class: 'dot busy' }), element('span', { class: 'unseen', text: ', answering' }));
    return element('li', {}, open, iconButton('delete', `Delete ${conversation.title}`, () => this.#confirm(conversation)));
  }

  #confirm(conversation) {
    const dialog = byId('confirm');
    byId('confirm-what').textContent = `“${conversation.title}” and its images are removed from this browser. This cannot be undone.`;
    dialog.returnValue = 'cancel';
    dialog.onclose = () => {
      if (dialog.returnValue === 'ok') {
        this.#chat.remove(conversation);
        byId('new-chat').focus();
      }
    };
    dialog.showModal();
  }
}
