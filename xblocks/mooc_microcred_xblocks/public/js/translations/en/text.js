/* Made by .ci/xblock_messages.py of the package's text.po. */
(function (global) {
  "use strict";
  var catalogue = {};
  global.MicrocredXBlocksI18N = {
    gettext: function (message) {
      return Object.prototype.hasOwnProperty.call(catalogue, message) ? catalogue[message] : message;
    }
  };
}(this));
