import React from 'react';

/** What a credential is worth: hours, credits, level, and who accepts it. */
export function Worth({ worth, words }) {
  const { say, text } = words;
  const facts = [
    Number(worth.hours) > 0 && say('hours', { count: worth.hours }),
    Number(worth.credits) > 0 && say('credits', { count: worth.credits }),
    worth.nqf_level && say('nqf', { level: worth.nqf_level }),
  ].filter(Boolean);
  const names = worth.accepted_by.map(text).filter(Boolean).join(', ');
  return (
    <>
      {facts.length > 0 && <p className="mcw__facts">{facts.join(' · ')}</p>}
      {names && <p className="mcw__small">{say('acceptedBy', { names })}</p>}
    </>
  );
}
