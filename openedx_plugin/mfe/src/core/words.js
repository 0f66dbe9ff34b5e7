// Words, numbers and dates in the reader's language: Thai or English, whatever the shell's catalogues have.
import en from './messages/en';
import th from './messages/th';

export const MESSAGES = { en, th };
// Thai readers see the Buddhist year, and the digits of the platform's own texts.
const TAGS = { en: 'en-GB', th: 'th-TH-u-ca-buddhist-nu-latn' };

export function languageOf(locale) {
  return String(locale || '').toLowerCase().startsWith('th') ? 'th' : 'en';
}

function filled(template, values) {
  return template.replace(/\{(\w+)\}/g, (_, name) => String(values[name]));
}

export function wordsIn(language) {
  const messages = MESSAGES[language];
  const tag = TAGS[language];
  const plural = new Intl.PluralRules(tag);

  // The form of a plural follows `count`, else `need`.
  function say(key, values = {}) {
    const message = messages[key];
    if (typeof message === 'string') {
      return filled(message, values);
    }
    const shown = Object.fromEntries(
      Object.entries(values).map(([name, value]) => [name, number(value)]),
    );
    const form = plural.select(Number(values.count ?? values.need));
    return filled(message[form] ?? message.other, shown);
  }

  // Exact numbers come as text, such as "1.5".
  function number(value) {
    return new Intl.NumberFormat(tag, { maximumFractionDigits: 2 }).format(Number(value));
  }

  function day(instant) {
    return new Intl.DateTimeFormat(tag, { day: 'numeric', month: 'short', year: 'numeric' })
      .formatToParts(new Date(instant))
      // Some browsers add the name of the era, which Thai readers do not write there.
      .filter(({ type }) => type !== 'era')
      .map(({ value }) => value)
      .join('')
      .trim();
  }

  function time(instant) {
    return new Intl.DateTimeFormat(tag, { hour: '2-digit', minute: '2-digit', hour12: false }).format(instant);
  }

  // A text of the catalogue: {th, en}, of which one may be empty.
  function text(both) {
    if (!both || typeof both === 'string') {
      return both || '';
    }
    return both[language] || both.en || both.th || '';
  }

  return {
    language, say, number, day, time, text,
  };
}
