/* The one file a site includes: <script src="https://desk.example/widget/redress-chat.js" defer></script>.
   It loads the widget's modules from where it came from, and so needs no build step and no configuration. */
import(new URL("element.js", document.currentScript.src)).catch((error) => {
  console.error("The Redress chat could not be loaded. Is this site on the desk's list of allowed origins?", error);
});
