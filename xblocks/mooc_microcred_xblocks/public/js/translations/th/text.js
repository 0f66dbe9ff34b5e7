/* Made by .ci/xblock_messages.py of the package's text.po. */
(function (global) {
  "use strict";
  var catalogue = {
  "%(number)s found.": "พบ %(number)s รายการ",
  "%(title)s (%(number)s)": "%(title)s (%(number)s)",
  "At most %(number)s can be picked.": "เลือกได้ไม่เกิน %(number)s รายการ",
  "It could not be saved. Check the connection and try again.": "บันทึกไม่ได้ โปรดตรวจสอบการเชื่อมต่อแล้วลองอีกครั้ง",
  "More than %(number)s found; the first ones are shown.": "พบมากกว่า %(number)s รายการ แสดงรายการแรก ๆ",
  "Not saved": "ยังไม่ได้บันทึก",
  "Nothing found.": "ไม่พบรายการ",
  "Picked: %(name)s": "เลือกแล้ว: %(name)s",
  "Remove": "นำออก",
  "Remove %(name)s": "นำ %(name)s ออก",
  "Removed: %(name)s": "นำออกแล้ว: %(name)s",
  "Saving": "กำลังบันทึก",
  "Show more": "แสดงเพิ่ม",
  "The list could not be read: %(reason)s": "อ่านรายการไม่ได้: %(reason)s",
  "Weight": "น้ำหนัก",
  "Weight of %(name)s": "น้ำหนักของ %(name)s",
  "retired": "ยกเลิกแล้ว",
  "unknown here": "ไม่รู้จักที่นี่"
};
  global.MicrocredXBlocksI18N = {
    gettext: function (message) {
      return Object.prototype.hasOwnProperty.call(catalogue, message) ? catalogue[message] : message;
    }
  };
}(this));
