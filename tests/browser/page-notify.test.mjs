// Whoever asked for it is told by a notification when a job is done, and nobody is asked without a click.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { DemoPage } from "./support/demo-page.mjs";

const timeout = 2 * 60_000;
let demo;

before(
  async () => {
    demo = await DemoPage.open();
    // A browser without a window shows none: it is recorded what the page asks for.
    await demo.page.addInitScript(() => {
      globalThis.asked = 0;
      globalThis.shown = [];
      globalThis.Notification = class {
        static permission = "default";
        static async requestPermission() {
          globalThis.asked += 1;
          globalThis.Notification.permission = "granted";
          return "granted";
        }
        constructor(title, { body }) {
          if (globalThis.isPhone) throw new TypeError("Illegal constructor.");
          globalThis.shown.push([title, body]);
        }
      };
      ServiceWorkerRegistration.prototype.showNotification = async (title, { body }) => {
        globalThis.shown.push([`${title}, by the service worker`, body]);
      };
    });
    await demo.visit();
    await demo.useTinyJob();
  },
  { timeout },
);

after(() => demo?.close());

const record = () => demo.page.evaluate(() => ({ asked: globalThis.asked, shown: globalThis.shown }));
const hide = (hidden) =>
  demo.page.evaluate(
    (hidden) => Object.defineProperty(document, "hidden", { value: hidden, configurable: true }),
    hidden,
  );

test("nothing is asked for and nothing shown of its own accord", { timeout }, async () => {
  await hide(true);
  await demo.run();
  assert.deepEqual(await record(), { asked: 0, shown: [] });
});

test("a click asks, and then the end of a job in the background is told", { timeout }, async () => {
  await demo.get("notify").click();
  await demo.page.waitForFunction(() => document.querySelector("[data-testid=notify]").checked);
  await demo.run();
  const { asked, shown } = await record();
  assert.equal(asked, 1);
  assert.equal(shown.length, 1);
  const told = shown[0].join(": ");
  // The tiny job's encoder agrees perfectly before it is tuned: nothing rises.
  assert.match(told, /^querytune: The job is done: the base model is delivered, as it is not shown that/);
});

test("where a page may not notify itself, its service worker does", { timeout }, async () => {
  await demo.page.evaluate(async () => {
    globalThis.isPhone = true;
    await navigator.serviceWorker.ready;
  });
  await demo.run();
  await demo.page.waitForFunction(() => globalThis.shown.length === 2);
  const [title, body] = (await record()).shown[1];
  assert.equal(title, "querytune, by the service worker");
  assert.match(body, /^The job is done: /);
});

test("its notification leads to the page, or to a new one where the page has ended", { timeout }, async () => {
  const [worker] = demo.page.context().serviceWorkers();
  const steps = await worker.evaluate(async () => {
    const steps = [];
    WindowClient.prototype.focus = async function () {
      steps.push(`to ${this.url}`);
    };
    Clients.prototype.openWindow = async (url) => steps.push(`open ${url}`);
    const click = async () => {
      const waiting = [];
      const event = new ExtendableEvent("notificationclick");
      Object.assign(event, {
        notification: { close: () => steps.push("close") },
        waitUntil: (work) => waiting.push(work),
      });
      self.dispatchEvent(event);
      await Promise.all(waiting);
    };
    await click();
    Clients.prototype.matchAll = async () => [];
    await click();
    return steps;
  });
  const address = `${demo.address}/`;
  assert.deepEqual(steps, ["close", `to ${address}`, "close", `open ${address}`]);
});

test("in front of the person nothing is shown", { timeout }, async () => {
  await hide(false);
  await demo.run();
  assert.equal((await record()).shown.length, 2);
});
