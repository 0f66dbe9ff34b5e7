/* What Studio's own scripts do for the editor of a block: they start it, and hear of saving and cancelling. */
(function () {
  "use strict";
  document.querySelectorAll(".xblock[data-init]").forEach(function (element) {
    var start = window[element.dataset.init];
    if (!start) { return; }
    var done = element.closest("[data-done]");
    start({
      handlerUrl: function (of, handler) { return (of.jquery ? of[0] : of).dataset.handler.replace(/HANDLER$/, handler); },
      notify: function (name, data) {
        if (done && (name === "cancel" || (name === "save" && data.state === "end"))) {
          window.location.assign(done.dataset.done);
        }
      }
    }, window.jQuery(element));
  });
}());
