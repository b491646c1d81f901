import { render } from "preact";
import { App } from "./app.js";
import { loadJobs } from "./jobs.js";
import { watchNetwork } from "./network.js";
import { keepPage } from "./offline.js";
import "uplot/dist/uPlot.min.css";
import "./style.css";

watchNetwork();
void keepPage();
void loadJobs();
const root = document.getElementById("app");
if (root) render(<App />, root);
