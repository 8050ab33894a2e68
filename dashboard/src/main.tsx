import "@fontsource-variable/inter";
import "./style.css";
import { render } from "preact";
import { App } from "./shell/App";
import { follow } from "./live";
import { followWarehouse } from "./warehouse";

const root = document.getElementById("app");
if (root) render(<App />, root);
follow();
followWarehouse();
