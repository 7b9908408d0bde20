// A target: writes what shall run, as one document, to a service that runs it. wit/target.wit says what it is asked and answers;
// logic.js decides.

import { fetch } from 'towpath:plugin/http@0.3.0';

import { descriptor, observe, preview, reconcile, settings } from './logic.js';

function send(method, url, headers, body) {
  return fetch({ method, url, headers, body, timeoutMs: 5000, redirectsMax: 0 });
}

export const target = {
  describe(text) {
    settings(text);
    return descriptor();
  },
  observe: (context) => observe(context, send),
  reconcile: (context, desired) => reconcile(context, desired, send),
  preview: (context, desired) => preview(context, desired, send),
};
