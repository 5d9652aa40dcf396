/** Examples of the empty page: an image of the nano world and a question about it that also a nano model can answer. */
export const examples = [
  { file: 'examples/koala.png', question: 'What is in this image?' },
  { file: 'examples/palms.png', question: 'How many palm trees are in the image?' },
  { file: 'examples/buses.png', question: 'What vehicle is in the image?' },
];
