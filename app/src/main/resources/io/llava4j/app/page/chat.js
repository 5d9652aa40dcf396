/** Conversations and the answers that are being written; knows no elements. */

import { randomId } from './dom.js';
import { dataUrl } from './images.js';
import { loaded, ServerError, stream } from './server.js';

/**
 * Events: `list` (conversations changed), `thread` (the open conversation has other messages), `message` (detail: one that
 * changed), `finished` (detail: an answer), `unsaved` (detail: why), `key`, `server`.
 */
export class Chat extends EventTarget {
  conversations = [];
  current = newConversation();
  #history;
  #settings;
  #runs = new Map(); // conversation id -> AbortController
  #images = new Map(); // image id -> image with its blob

  constructor(history, settings) {
    super();
    this.#history = history;
    this.#settings = settings;
  }

  async load() {
    this.conversations = await this.#history.all();
    for (const answer of this.conversations.flatMap((each) => each.messages).filter((each) => each.state === 'running')) {
      answer.state = 'interrupted';
    }
    this.#tell('list');
  }

  isRunning(conversation = this.current) {
    return this.#runs.has(conversation.id);
  }

  open(id) {
    this.current = this.conversations.find((each) => each.id === id) ?? newConversation();
    this.#tell('list');
    this.#tell('thread');
  }

  /** Asks a question in the open conversation. */
  send(text, images) {
    this.#ask(this.current, { id: randomId(), role: 'user', text, images });
  }

  /** Asks another question in place of an earlier one; what came after it is replaced. */
  edit(message, text, images) {
    this.#cutBefore(message);
    this.send(text, images);
  }

  /** Answers the question before this answer once more. */
  async regenerate(answer) {
    this.#cutBefore(answer);
    const again = await this.#answer(this.current);
    again.isSame = this.#settings.isGreedy && again.state === 'done' && again.text === answer.text;
    this.#tell('message', again);
  }

  /** Ends the answer that is being written; what is there stays. */
  stop(conversation = this.current) {
    this.#runs.get(conversation.id)?.abort();
  }

  async remove(conversation) {
    this.stop(conversation);
    this.conversations = this.conversations.filter((each) => each !== conversation);
    if (conversation === this.current) this.open(null);
    else this.#tell('list');
    await this.#history.remove(conversation);
  }

  /** The stored image that a message names, or undefined if this browser no longer has it. */
  async image({ id }) {
    if (!this.#images.has(id)) {
      const stored = await this.#history.image(id);
      if (stored) this.#images.set(id, stored);
    }
    return this.#images.get(id);
  }

  #cutBefore(message) {
    this.stop();
    this.current.messages.splice(this.current.messages.indexOf(message));
  }

  #ask(conversation, { images, ...question }) {
    images.forEach((image) => this.#images.set(image.id, image));
    conversation.messages.push({ ...question, images: images.map(({ id, name, type }) => ({ id, name, type })) });
    if (!this.conversations.includes(conversation)) this.conversations.unshift(conversation);
    conversation.title = titleOf(conversation.messages[0]);
    this.#save(conversation, images);
    this.#answer(conversation);
  }

  async #answer(conversation) {
    const before = [...conversation.messages];
    const answer = { id: randomId(), role: 'assistant', text: '', state: 'running', imagesRead: imageCount(before) };
    const abort = new AbortController();
    conversation.messages.push(answer);
    conversation.updated = Date.now();
    this.conversations.sort((a, b) => b.updated - a.updated);
    this.#runs.set(conversation.id, abort);
    this.#tell('list');
    this.#tell('thread');
    try {
      const request = { model: this.model, messages: await this.#messages(before), ...this.#settings.request() };
      await this.#readWhenLoaded(request, answer, abort.signal);
    } catch (cause) {
      if (abort.signal.aborted) answer.state = 'stopped';
      else this.#failed(answer, cause);
    }
    if (this.#runs.get(conversation.id) === abort) this.#runs.delete(conversation.id);
    if (conversation.messages.includes(answer)) {
      this.#save(conversation);
      this.#tell('message', answer);
      this.#tell('finished', answer);
    }
    this.#tell('list');
    return answer;
  }

  async #readWhenLoaded(request, answer, signal) {
    for (;;) {
      try {
        return await this.#read(request, answer, signal);
      } catch (cause) {
        if (cause.kind !== 'loading') throw cause;
        answer.isWaiting = true;
        this.#tell('server');
        this.#tell('message', answer);
        await loaded(signal);
        answer.isWaiting = false;
      }
    }
  }

  async #read(request, answer, signal) {
    answer.maxTokens = request.max_tokens;
    const start = performance.now();
    let first = null;
    let last = start;
    let saved = start;
    for await (const chunk of stream(request, signal)) {
      const choice = chunk.choices?.[0];
      if (choice?.delta?.content) {
        last = performance.now();
        first ??= last;
        answer.text += choice.delta.content;
        this.#tell('message', answer);
        if (last - saved > 1000) {
          saved = last;
          this.#save(this.conversations.find((each) => each.messages.includes(answer)));
        }
      }
      if (choice?.finish_reason) answer.finish = choice.finish_reason;
      if (chunk.usage) answer.usage = chunk.usage;
    }
    answer.state = 'done';
    answer.firstToken = first === null ? null : (first - start) / 1000;
    answer.decoding = first === null ? null : (last - first) / 1000;
  }

  #failed(answer, cause) {
    answer.state = 'failed';
    answer.error = cause.message;
    answer.retryAfter = cause.retryAfter ?? null;
    if (cause.kind === 'key') this.#tell('key', cause.message);
    if (cause instanceof ServerError && cause.kind === 'unreachable') this.#tell('server');
  }

  /** The messages of a request; questions without an answer are left out, since roles alternate. */
  async #messages(before) {
    const messages = [];
    const system = this.#settings.system;
    if (system) messages.push({ role: 'system', content: system });
    const isAnswered = (index) => index === before.length - 1 || before[index + 1].text !== '';
    for (const message of before.filter((each, index) => (each.role === 'user' ? isAnswered(index) : each.text !== ''))) {
      messages.push({ role: message.role, content: message.images?.length ? await this.#parts(message) : message.text });
    }
    return messages;
  }

  async #parts(message) {
    const parts = [];
    for (const named of message.images) {
      const image = await this.image(named);
      if (!image) throw new Error(`The image ${named.name} is no longer in this browser, so it cannot be sent again. Edit the question and add it once more.`);
      parts.push({ type: 'image_url', image_url: { url: await dataUrl(image) } });
    }
    return message.text ? [...parts, { type: 'text', text: message.text }] : parts;
  }

  async #save(conversation, images = []) {
    if (!this.conversations.includes(conversation)) return;
    try {
      await this.#history.save(conversation, images);
    } catch (cause) {
      this.#tell('unsaved', cause?.name === 'QuotaExceededError'
        ? 'This browser has no room for more conversations: the newest messages are lost when the tab closes. Delete some conversations.'
        : `This browser could not store the conversation: ${cause?.message ?? 'unknown cause'}`);
    }
  }

  #tell(name, detail) {
    this.dispatchEvent(new CustomEvent(name, { detail }));
  }
}

function newConversation() {
  return { id: randomId(), title: '', updated: Date.now(), messages: [] };
}

function titleOf(question) {
  return question.text.trim().replace(/\s+/g, ' ').slice(0, 80) || question.images[0]?.name || 'Image';
}

function imageCount(messages) {
  return messages.reduce((sum, message) => sum + (message.role === 'user' ? message.images.length : 0), 0);
}
