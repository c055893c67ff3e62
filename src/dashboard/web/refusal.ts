/** The error of a route that refuses a request; the server's error handler answers with its status and its words. */
export const refusal = (statusCode: number, message: string): Error =>
  Object.assign(new Error(message), { statusCode });
