// Addresses from the answer: some are paths of the LMS, and the dashboard is on another host.

/** Return an address that a link may have, or an empty text: http and https only. */
export function linkTo(address, lmsBaseUrl) {
  if (!address) {
    return '';
  }
  try {
    const url = new URL(address, lmsBaseUrl);
    return ['http:', 'https:'].includes(url.protocol) ? url.href : '';
  } catch {
    return '';
  }
}
