// In which language the reader is addressed, whatever catalogues the shell was built with.

function cookieOf(name) {
  const found = name && document.cookie.split('; ').find((one) => one.startsWith(`${name}=`));
  return found ? decodeURIComponent(found.slice(name.length + 1)) : '';
}

/**
 * Return the reader's locale: the preference that the LMS keeps in a cookie, else what the shell shows.
 *
 * The shells read the same cookie, but answer English where they have no catalogue for it.
 * @param {string} cookieName of the shell's configuration; may be missing.
 * @param {function} shellLocale the shell's own getLocale.
 */
export function readersLocale(cookieName, shellLocale) {
  const preferred = cookieOf(cookieName);
  if (preferred) {
    return preferred;
  }
  try {
    return shellLocale();
  } catch {
    // The shell has not set up its translations.
    return document.documentElement.lang;
  }
}
