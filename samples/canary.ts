/** The canary: a tiny document that is sent through the whole worker again and again. It imports nothing. */

export const CANARY_FILENAME = 'canary.md';

export const CANARY_TEXT = `# Canary

This document is sent by the service itself, to see that documents are still processed.
A small yellow bird sings in the mine as long as the air is good.
When it has nothing to say, somebody should come and look.
`;

/** A search for this must find the canary. */
export const CANARY_WORDS = 'a small yellow bird sings in the mine';
