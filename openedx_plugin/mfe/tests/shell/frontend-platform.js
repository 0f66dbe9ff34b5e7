// Stands for @edx/frontend-platform and its folders auth and i18n.
export const APP_AUTH_INITIALIZED = 'APP.AUTH_INITIALIZED';
export const getConfig = () => ({
  LMS_BASE_URL: window.location.origin, LANGUAGE_PREFERENCE_COOKIE_NAME: 'openedx-language-preference',
});
export {
  getAuthService, getAuthenticatedHttpClient, getAuthenticatedUser, getLocale, publish, subscribe,
} from './client';
