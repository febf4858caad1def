/** The complaint is filed: what the form kept of it in this browser goes. */
import { forgetFiled } from "./draft.js";

forgetFiled(location.pathname.split("/").pop());
