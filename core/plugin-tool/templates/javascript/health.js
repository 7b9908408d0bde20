// A health check: asks a path of the candidate. wit/health.wit says what it is asked and answers; logic.js decides.

import { fetch } from 'towpath:plugin/http@0.3.0';

import { judge, settings } from './logic.js';

export const health = {
  assess(context, subjects) {
    return judge(() => settings(context.settings), subjects, (url) =>
      fetch({ method: 'GET', url, headers: [], body: new Uint8Array(), timeoutMs: 5000, redirectsMax: 0 }),
    );
  },
};
