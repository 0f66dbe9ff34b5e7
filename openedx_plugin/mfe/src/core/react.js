// React 17 has no useId.
import React, { useState } from 'react';

let last = 0;

export default React;

/** Return an id for an element; `mcw-` in front, since the host has ids of its own. */
export function useId() {
  const [id] = useState(() => {
    last += 1;
    return `mcw-${last}`;
  });
  return id;
}
