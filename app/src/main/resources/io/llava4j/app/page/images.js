/** Images of this page: {id, name, type, blob}. They are sent with their exact bytes, never scaled or encoded again. */

import { randomId } from './dom.js';

const TYPES = ['image/png', 'image/jpeg', 'image/webp', 'image/gif', 'image/bmp'];

/** For file choosers. */
export const ACCEPT = TYPES.join(',');

/** An image from a file, or an Error that says why not. */
export async function readImage(file) {
  const name = file.name || 'image';
  if (!TYPES.includes(file.type)) {
    throw new Error(`${name} is not an image that the server reads; use PNG, JPEG, WebP, GIF or BMP.`);
  }
  // The bytes are read now: a file may be changed or removed before it is sent.
  const blob = new Blob([await file.arrayBuffer().catch(() => { throw new Error(`${name} cannot be read.`); })], { type: file.type });
  try {
    (await createImageBitmap(blob)).close();
  } catch {
    throw new Error(`${name} is broken or not what its name says: the browser cannot decode it.`);
  }
  return { id: randomId(), name, type: file.type, blob };
}

/** The files of a paste or a drop. */
export function filesOf(transfer) {
  return transfer ? Array.from(transfer.files) : [];
}

/** An image as a data: URL, as the API takes it. */
export function dataUrl(image) {
  return new Promise((done, fail) => {
    const reader = new FileReader();
    reader.onload = () => done(reader.result);
    reader.onerror = () => fail(new Error(`${image.name} cannot be read.`));
    reader.readAsDataURL(image.blob);
  });
}

const urls = new WeakMap();

/** An address of the image for this page's `img` elements; it lives as long as the tab. */
export function objectUrl(image) {
  if (!urls.has(image.blob)) urls.set(image.blob, URL.createObjectURL(image.blob));
  return urls.get(image.blob);
}
