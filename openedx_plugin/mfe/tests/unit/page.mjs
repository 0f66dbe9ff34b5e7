// A document for the tests. Loaded before everything else, since React looks for one.
import { JSDOM } from 'jsdom';

const { window } = new JSDOM('<!doctype html><html><body></body></html>', { url: 'https://apps.example.org/' });
let online = true;
Object.defineProperty(window.navigator, 'onLine', { get: () => online });
Object.assign(globalThis, {
  window, document: window.document, HTMLElement: window.HTMLElement, IS_REACT_ACT_ENVIRONMENT: true,
});
Object.defineProperty(globalThis, 'navigator', { value: window.navigator, configurable: true });

// Go on or off the net, as the browser tells it.
globalThis.connect = (now) => {
  online = now;
  window.dispatchEvent(new window.Event(now ? 'online' : 'offline'));
};
