// Stands for @openedx/frontend-base: its Slot gives what it was given to the widgets by a context.
import React from 'react';

export const SITE_AUTH_INITIALIZED = 'APP.AUTH_INITIALIZED';
export const WidgetOperationTypes = { APPEND: 'widgetAppend', PREPEND: 'widgetPrepend' };
export const getSiteConfig = () => ({
  lmsBaseUrl: window.location.origin, languagePreferenceCookieName: 'openedx-language-preference',
});
export {
  getAuthService, getAuthenticatedHttpClient, getAuthenticatedUser, getLocale, publish, subscribe,
} from './client';

const SlotContext = React.createContext({});
export const useSlotContext = () => React.useContext(SlotContext);

/** Return the component of slots, for the apps of a site. */
export function slotOf(apps) {
  const operations = apps.flatMap((app) => app.slots);
  return function Slot({ id, children, ...props }) {
    const drawn = (op) => operations
      .filter((one) => one.slotId === id && one.op === op)
      .map(({ id: key, component: Component }) => <Component key={key} />);
    return (
      <SlotContext.Provider value={{ id, ...props }}>
        {drawn(WidgetOperationTypes.PREPEND)}
        {children}
        {drawn(WidgetOperationTypes.APPEND)}
      </SlotContext.Provider>
    );
  };
}
