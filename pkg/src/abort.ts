/** Waiting for an answer no longer than a signal allows. */

/**
 * The answer, or a rejection with the signal's reason as soon as it is aborted; `drop` receives an answer that comes
 * after that.
 */
export function unlessAborted<T>(
  signal: AbortSignal | undefined,
  answer: Promise<T>,
  drop: (late: T) => void = () => {},
): Promise<T> {
  if (!signal) return answer;
  return new Promise((resolve, reject) => {
    const abort = () => {
      answer.then(drop, () => {});
      reject(signal.reason);
    };
    if (signal.aborted) return abort();
    signal.addEventListener("abort", abort);
    answer.then(resolve, reject).finally(() => signal.removeEventListener("abort", abort));
  });
}
