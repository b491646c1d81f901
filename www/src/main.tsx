import { render } from "preact";
import { App } from "./app.js";
import { watchNetwork } from "./network.js";
import { keepPage } from "./offline.js";
import { watchTabs } from "./tabs.js";
import "uplot/dist/uPlot.min.css";
import "./style.css";

// A file that is dropped beside its field would be opened in the place of the page.
for (const type of ["dragover", "drop"]) addEventListener(type, (event) => event.preventDefault());

watchNetwork();
void keepPage();
watchTabs();
const root = document.getElementById("app");
if (root) render(<App />, root);
