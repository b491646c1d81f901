/** What tells of a running job where the page is not looked at: the tab's title, a notification, a question on closing. */

import { effect, signal } from "@preact/signals";
import { news } from "./delivered.js";
import { type State, state } from "./job.js";
import { outcome, unsaved } from "./outcome.js";
import { current, hasScored, stages } from "./progress.js";
import { NAMES } from "./stages.js";
import { share } from "./standing.js";

const NAME = document.title;

export const mayNotify = signal<NotificationPermission | "absent">(
  typeof Notification === "undefined" ? "absent" : Notification.permission,
);
/** Whether the person wants to be told. */
export const notify = signal(mayNotify.value === "granted");

/** Asks for leave to notify. Browsers want this to be done on a click. */
export async function askToNotify(): Promise<void> {
  mayNotify.value = await Notification.requestPermission();
  notify.value = mayNotify.value === "granted";
}

function title(): string {
  const at = current.value && stages.value[current.value];
  switch (state.value) {
    case "running":
    case "comparing":
    case "measuring":
      if (!current.value || !at) return `Starting – ${NAME}`;
      return `${share(current.value, at)} ${NAMES[current.value][0]} – ${NAME}`;
    case "pausing":
    case "paused":
      return `Paused – ${NAME}`;
    case "done":
      return `Done – ${NAME}`;
    case "failed":
      return `Stopped by an error – ${NAME}`;
    default:
      return NAME;
  }
}

/** Notifies; by the service worker where a page may not do so itself, as on phones. */
async function tell(body: string): Promise<void> {
  try {
    new Notification(NAME, { body });
  } catch {
    const registration = await navigator.serviceWorker?.getRegistration();
    await registration?.showNotification(NAME, { body });
  }
}

function question(event: BeforeUnloadEvent): void {
  event.preventDefault();
}

/** Follows the job until the page goes away. */
export function watchAttention(): () => void {
  let before: State = state.peek();
  const ends = [
    effect(() => {
      document.title = title();
    }),
    effect(() => {
      const now = state.value;
      if (now === "running" || now === "pausing" || unsaved.value) addEventListener("beforeunload", question);
      else removeEventListener("beforeunload", question);
      const ended = before === "running" && (now === "done" || now === "failed");
      before = now;
      if (!ended || !notify.peek() || !document.hidden) return;
      // Who took the leave back since is told by the title alone.
      // A job that failed may have left the result before it in its place.
      const report = now === "done" ? outcome.value?.run.report : undefined;
      void tell(news(report, hasScored.peek())).catch(() => {});
    }),
  ];
  return () => {
    for (const end of ends) end();
    removeEventListener("beforeunload", question);
  };
}
