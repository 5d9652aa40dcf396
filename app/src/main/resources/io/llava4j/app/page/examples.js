/** Examples of the empty page: an image of the nano world and a question about it. */
export const examples = [
  { file: 'examples/koala.png', question: 'Describe this image in detail.' },
  { file: 'examples/palms.png', question: 'How many palm trees are in the image?' },
  { file: 'examples/castle.png', question: 'What is below the castle?' },
];
