/** The script of a thread in Node that helps another one. */

import * as Comlink from "comlink";
import { carryErrors } from "./crossing.js";
import { Calls, member } from "./member.js";
import { parentEndpoint } from "./node-threads.js";

carryErrors();
Comlink.expose(member(new Calls()), await parentEndpoint());
