// The one read that the panel and all course cards share, and what became of it.

import { languageOf } from './words';

// A shell may unmount the dashboard and mount it again; what is younger than this is not read anew.
const FRESH = 60 * 1000;
// The plugin is not installed there, or says nothing to this person: nothing is shown, and nothing repeated.
const SILENT = [401, 403, 404];

/**
 * @param {object} host what an entry knows of its shell:
 *   fetchJson(address, {locale}) resolves to the answer or rejects with {status} (none: no answer came);
 *   locale(), lmsBaseUrl(), signedIn();
 *   watchCourses(listener) tells {masquerading, courseKeys} whenever the shell has read its list of courses.
 */
export function createStore(host) {
  // status: idle, loading, ready, failed or silent; data is kept when a later read fails.
  let state = {
    status: 'idle', data: null, at: 0, locale: '', online: true, masquerading: false, courseKeys: [],
  };
  let pending = null;
  const listeners = new Set();

  function change(part) {
    state = { ...state, ...part };
    listeners.forEach((listener) => listener(state));
  }

  function read(locale) {
    const base = String(host.lmsBaseUrl()).replace(/\/+$/, '');
    change({ status: 'loading', locale });
    // In words, too: the LMS prefers its cookie to what the browser accepts, and may have other languages.
    const address = `${base}/api/mooc_microcred/v1/my/dashboard/?lang=${languageOf(locale)}`;
    const mine = host.fetchJson(address, { locale })
      .then((data) => {
        if (!data || !Array.isArray(data.badges)) {
          throw new Error('This is no answer of the micro-credentials plugin.');
        }
        return { status: 'ready', data, at: Date.now() };
      })
      .catch((error) => (SILENT.includes(error && error.status)
        ? { status: 'silent', data: null, at: Date.now() }
        : { status: 'failed' }))
      .then((outcome) => {
        // Another language was asked for in the meantime: that answer counts.
        if (pending === mine) {
          pending = null;
          change({ ...outcome, online: navigator.onLine });
        }
      });
    pending = mine;
    return mine;
  }

  /** Read, unless somebody does already, or what is there is new enough. */
  function load({ again = false } = {}) {
    if (!host.signedIn()) {
      change({ status: 'silent', data: null });
      return Promise.resolve();
    }
    const locale = host.locale();
    const same = state.locale === locale;
    if (pending && same) {
      return pending;
    }
    const known = state.status === 'ready' || state.status === 'silent';
    if (!again && same && (state.status === 'failed' || (known && Date.now() - state.at < FRESH))) {
      return Promise.resolve();
    }
    return read(locale);
  }

  function cameOnline() {
    change({ online: true });
    if (state.status === 'failed') {
      load({ again: true });
    }
  }

  function wentOffline() {
    change({ online: false });
  }

  function subscribe(listener) {
    if (!listeners.size) {
      window.addEventListener('online', cameOnline);
      window.addEventListener('offline', wentOffline);
      state = { ...state, online: navigator.onLine };
    }
    listeners.add(listener);
    return () => {
      listeners.delete(listener);
      if (!listeners.size) {
        window.removeEventListener('online', cameOnline);
        window.removeEventListener('offline', wentOffline);
      }
    };
  }

  host.watchCourses((seen) => change(seen));

  return { load, subscribe, now: () => state };
}
