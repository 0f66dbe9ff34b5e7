// Which course a card is about. A shell tells a card's widget only "card-3": the place of the course in the
// list that the shell itself has read. So we look at that answer as it passes; nothing more is asked for.

const LIST = /\/api\/learner_home\/init\/?(\?|$)/;

/** Return {masquerading, courseKeys} of an answer to the shell, or null where it is another one. */
export function coursesSeen(response) {
  const { url = '', params } = (response && response.config) || {};
  if (!LIST.test(url)) {
    return null;
  }
  const { data } = response;
  const courses = data && Array.isArray(data.courses) ? data.courses : [];
  const user = new URLSearchParams(url.split('?')[1] || '').get('user') || (params && params.user);
  return {
    // Staff who look at the dashboard of somebody else would see their own credentials in it.
    masquerading: Boolean(user),
    courseKeys: courses.map((one) => (one && one.courseRun && one.courseRun.courseId) || ''),
  };
}

const watched = new WeakSet();

/** Tell the listener of each list of courses that the shell's client (axios) reads from now on. */
export function watchClient(client, listener) {
  if (!client || !client.interceptors || watched.has(client)) {
    return;
  }
  watched.add(client);
  client.interceptors.response.use((response) => {
    const seen = coursesSeen(response);
    if (seen) {
      listener(seen);
    }
    return response;
  });
}

/**
 * Watch the client of a shell, from now on or from when there is one.
 * @param {object} shell getAuthService() throws until then; getAuthenticatedHttpClient(), subscribe(topic, listener).
 */
export function watchShell({ getAuthService, getAuthenticatedHttpClient, subscribe }, topic, listener) {
  const watch = () => watchClient(getAuthenticatedHttpClient(), listener);
  subscribe(topic, watch);
  try {
    getAuthService();
  } catch {
    return;
  }
  watch();
}

/** Return the key of the course that a card is about, or an empty text. */
export function courseOfCard(courseKeys, { cardId, courseId }) {
  if (courseId) {
    return courseId;
  }
  const place = /^card-(\d+)$/.exec(cardId || '');
  return (place && courseKeys[Number(place[1])]) || '';
}
