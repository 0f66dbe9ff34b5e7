import React, { useId } from './react';
import { linkTo } from './links';
import { Worth } from './Worth';

const STATES = { earned: 'cardEarned', suspended: 'cardSuspended', open: 'cardOpen' };

/** What a course leads to, and whether it is earned, below its card. */
export function CourseCard({ items, words, base }) {
  const { say, text } = words;
  const id = useId();
  return (
    <div className="mcw mcw--card" lang={words.language}>
      <p className="mcw__heading" id={id}>{say('courseLeadsTo')}</p>
      <ul className="mcw__leads" aria-labelledby={id}>
        {items.map((item) => {
          const url = linkTo(item.url, base);
          return (
            <li key={item.code} className={`mcw__lead mcw__lead--${item.state}`}>
              <p className="mcw__name">{url ? <a className="mcw__link" href={url}>{text(item.name)}</a> : text(item.name)}</p>
              <p className="mcw__small">
                {say(item.kind)}
                {' · '}
                <strong className={`mcw__state mcw__state--${item.state}`}>{say(STATES[item.state])}</strong>
              </p>
              <Worth worth={item.worth} words={words} />
            </li>
          );
        })}
      </ul>
    </div>
  );
}
