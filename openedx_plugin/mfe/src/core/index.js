import React, { useEffect, useState } from 'react';
import { courseOfCard } from './courses';
import { CourseCard } from './CourseCard';
import { Guard } from './Guard';
import { Panel } from './Panel';
import { createStore } from './store';
import { languageOf, wordsIn } from './words';

function guarded(Component) {
  return function Guarded(props) {
    return React.createElement(Guard, null, React.createElement(Component, props));
  };
}

/** Return the components of the widget for a shell; `host` is described in store.js. */
export function createWidget(host) {
  const store = createStore(host);

  function useStore() {
    const [state, setState] = useState(store.now);
    useEffect(() => {
      const leave = store.subscribe(setState);
      // What happened between drawing and subscribing.
      setState(store.now());
      store.load();
      return leave;
    }, []);
    return state;
  }

  function MicrocredPanel() {
    const state = useStore();
    if (state.masquerading || state.status === 'silent' || !host.signedIn()) {
      return null;
    }
    return React.createElement(Panel, {
      state,
      words: wordsIn(languageOf(host.locale())),
      base: host.lmsBaseUrl(),
      onAgain: () => store.load({ again: true }),
    });
  }

  function MicrocredCourseCard(props) {
    const state = useStore();
    if (state.masquerading || !state.data || !host.signedIn()) {
      return null;
    }
    const items = (state.data.courses || {})[courseOfCard(state.courseKeys, props)];
    if (!items || !items.length) {
      return null;
    }
    return React.createElement(CourseCard, {
      items,
      words: wordsIn(languageOf(host.locale())),
      base: host.lmsBaseUrl(),
    });
  }

  return { MicrocredPanel: guarded(MicrocredPanel), MicrocredCourseCard: guarded(MicrocredCourseCard) };
}
