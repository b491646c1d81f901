// axe finds nothing in any state of the page: in light, in dark, and on a narrow screen.
import { after, before, test } from "node:test";
import { lookEverywhere } from "./support/axe.mjs";
import { DemoPage, deleteStored } from "./support/demo-page.mjs";

const timeout = 2 * 60_000;
let demo;

before(
  async () => {
    demo = await DemoPage.open();
    await demo.visit();
  },
  { timeout },
);

after(() => demo?.close());

const look = () => lookEverywhere(demo.page);

test("before anything is chosen", { timeout }, look);

test("with a file that cannot be read, and one with rows that were skipped", { timeout }, async () => {
  await demo.choose("documents", "documents.bin", Buffer.from([0, 1, 2, 3, 255]));
  await demo.choose("queries", "log.csv", "id,query\n1,tent\n2,\n3,tent\n");
  await demo.get("error-documents").waitFor();
  await demo.get("skipped-queries").waitFor();
  await look();
});

test("with data, and the device measured", { timeout }, async () => {
  await demo.useTinyJob({ judged: true });
  await demo.get("measure").click();
  await demo.get("estimate").waitFor({ timeout });
  await look();
});

test("with judgements of nothing that was read, and with none that can be read", { timeout }, async () => {
  await demo.choose("qrels", "qrels.tsv", "q-1\tproduct-17\t1\nq-2\tproduct-4\t1\n");
  await demo.get("error-judged-ids").waitFor();
  await look();
  await demo.choose("qrels", "qrels.tsv", "query\trelevance\tdocument\nq1\thigh\td1\n");
  await demo.get("error-qrels").waitFor();
  await look();
  await demo.get("file-qrels-remove").click();
});

test("with models that cannot be had, from the hub and from a folder", { timeout }, async () => {
  await demo.page.context().route("https://huggingface.co/**", (route) => route.abort());
  await demo.get("models-hub").check();
  await demo.get("start").click();
  await demo.get("error-job").waitFor({ timeout });
  await look();
  await demo.get("models-folder").check();
  await look();
  await demo.get("models-server").check();
});

test("when it is asked whether to delete what cannot be had again", { timeout }, async () => {
  await demo.get("delete-scores").click();
  await demo.get("delete-all").click();
  await demo.get("delete-all-asked").waitFor();
  await look();
  await demo.visit();
  await demo.useTinyJob({ judged: true });
});

test("while a job runs, and while it is paused", { timeout }, async () => {
  await demo.page.waitForFunction(() => !document.querySelector("[data-testid=start]").disabled, null, { timeout });
  await demo.get("use-sample").click();
  await demo.get("plan").getByText("2,280 pairs").waitFor({ timeout });
  await demo.get("start").click();
  await demo.page.locator("[data-testid=stage-score][data-status=active]").waitFor({ timeout });
  await look();
  await demo.get("pause").click();
  await demo.waitForState(["paused"]);
  await look();
});

test("when a job is offered after a reload", { timeout }, async () => {
  await demo.visit();
  await demo.get("continue").waitFor();
  await look();
});

test("in a second tab while the first runs a job, and after it is cancelled", { timeout }, async () => {
  await demo.useSample();
  await demo.setNumber("depth", 50);
  await demo.get("start").click();
  await demo.scoredAtLeast(1);
  const other = await demo.page.context().newPage();
  await other.goto(`${demo.address}/`);
  await other.getByTestId("history-job").getByText("running in another tab").waitFor();
  await deleteStored(other, "scores");
  await other.getByTestId("error-storage").waitFor();
  await lookEverywhere(other);
  await other.close();
  await demo.get("cancel").click();
  await demo.waitForState(["cancelled"]);
  await look();
  await demo.visit();
});

test("with a result by judgements", { timeout }, async () => {
  await demo.useTinyJob({ judged: true });
  await demo.run();
  await demo.get("gains-summary-judged").waitFor({ timeout });
  await demo.get("search-box").fill("boots for rain");
  await demo.get("search-submit").click();
  await demo.get("search-tuned").waitFor();
  await look();
});

test("with a result without judgements", { timeout }, async () => {
  await demo.get("file-qrels-remove").click();
  await demo.run();
  await look();
});
