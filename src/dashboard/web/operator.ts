/** Whom pauses and cancels of the page are attributed to: the page knows no names, and one password opens it for all. */
export const OPERATOR = 'the dashboard';
