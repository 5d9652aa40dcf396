/**
 * Conversations and their images in this browser's IndexedDB, images with their exact bytes. Without it, in some private
 * windows, conversations live as long as the tab.
 */
export class History {
  #database;

  /** Opens the store; `persistent` tells whether it outlives the tab. */
  static async open() {
    const history = new History();
    history.#database = await new Promise((done) => {
      try {
        const request = indexedDB.open('llava4j', 1);
        request.onupgradeneeded = () => {
          request.result.createObjectStore('conversations', { keyPath: 'id' });
          request.result.createObjectStore('images', { keyPath: 'id' });
        };
        request.onsuccess = () => done(request.result);
        request.onerror = () => done(null);
      } catch {
        done(null);
      }
    });
    return history;
  }

  get persistent() {
    return this.#database !== null;
  }

  /** All conversations, the newest first; images that none of them names are removed. */
  async all() {
    if (!this.persistent) return [];
    const conversations = await this.#run('conversations', 'readonly', (store) => store.getAll());
    const used = new Set(conversations.flatMap(imageIds));
    const stored = await this.#run('images', 'readonly', (store) => store.getAllKeys());
    for (const id of stored.filter((each) => !used.has(each))) await this.#run('images', 'readwrite', (store) => store.delete(id));
    return conversations.sort((a, b) => b.updated - a.updated);
  }

  /** Stores a conversation with those of its images that are given. Rejects with QuotaExceededError if the browser is full. */
  save(conversation, images = []) {
    if (!this.persistent) return Promise.resolve();
    return new Promise((done, fail) => {
      const change = this.#database.transaction(['conversations', 'images'], 'readwrite');
      images.forEach((image) => change.objectStore('images').put(image));
      change.objectStore('conversations').put(conversation);
      change.oncomplete = done;
      change.onabort = () => fail(change.error);
    });
  }

  /** Removes a conversation with its images. */
  async remove(conversation) {
    if (!this.persistent) return;
    for (const id of imageIds(conversation)) await this.#run('images', 'readwrite', (store) => store.delete(id));
    await this.#run('conversations', 'readwrite', (store) => store.delete(conversation.id));
  }

  /** A stored image, or undefined. */
  image(id) {
    return this.persistent ? this.#run('images', 'readonly', (store) => store.get(id)) : Promise.resolve(undefined);
  }

  #run(name, mode, action) {
    return new Promise((done, fail) => {
      const request = action(this.#database.transaction(name, mode).objectStore(name));
      request.onsuccess = () => done(request.result);
      request.onerror = () => fail(request.error);
    });
  }
}

function imageIds(conversation) {
  return conversation.messages.flatMap((message) => (message.images ?? []).map((image) => image.id));
}
