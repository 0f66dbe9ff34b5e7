/* The editors of the blocks in Studio. Plain JavaScript; $.ajax is used for saving only, because the platform
   adds its CSRF token and its error handling to it. Nothing here makes HTML out of text. */
(function () {
  "use strict";

  function translated(message) {
    var catalogue = window.MicrocredXBlocksI18N;
    return catalogue && catalogue.gettext ? catalogue.gettext(message) : message;
  }

  function filled(message, values) {
    return translated(message).replace(/%\((\w+)\)s/g, function (all, name) {
      return Object.prototype.hasOwnProperty.call(values, name) ? String(values[name]) : all;
    });
  }

  function made(tag, className, text) {
    var node = document.createElement(tag);
    if (className) { node.className = className; }
    if (text !== undefined) { node.textContent = text; }
    return node;
  }

  function root(element) {
    var node = element && element.jquery ? element[0] : element;
    return node.classList && node.classList.contains("microcred") ? node : node.querySelector(".microcred");
  }

  function token() {
    var found = document.cookie.match(/(?:^|;\s*)csrftoken=([^;]+)/);
    return found ? decodeURIComponent(found[1]) : "";
  }

  /* Saves what `collect` returns; tells Studio, or shows in the form what is wrong. */
  function connect(runtime, element, page, collect) {
    var error = page.querySelector(".microcred-error");
    var save = page.querySelector(".microcred-save");

    function refused(message) {
      error.textContent = message;
      error.hidden = false;
      save.disabled = false;
      runtime.notify("error", { title: translated("Not saved"), message: message });
    }

    function submit() {
      error.hidden = true;
      save.disabled = true;
      runtime.notify("save", { state: "start", message: translated("Saving") });
      $.ajax({
        type: "POST",
        url: runtime.handlerUrl(element, "submit_studio_edits"),
        data: JSON.stringify(collect()),
        contentType: "application/json; charset=utf-8",
        dataType: "json",
        headers: token() ? { "X-CSRFToken": token() } : {},
        global: false
      }).done(function () {
        runtime.notify("save", { state: "end" });
      }).fail(function (answer) {
        var body = answer.responseJSON || {};
        refused(body.error || body.message || translated("It could not be saved. Check the connection and try again."));
      });
    }

    save.addEventListener("click", submit);
    page.querySelector(".microcred-cancel").addEventListener("click", function () { runtime.notify("cancel", {}); });
    page.querySelector("form").addEventListener("submit", function (event) { event.preventDefault(); });
  }

  function checked(page, name) {
    var found = page.querySelector("input[name=" + name + "]:checked");
    return found ? found.value : "";
  }

  window.MicrocredProgressEditor = function (runtime, element) {
    var page = root(element);
    connect(runtime, element, page, function () {
      return {
        display_name: page.querySelector("[name=display_name]").value,
        show_worth: page.querySelector("[name=show_worth]").checked
      };
    });
  };

  window.MicrocredCompetencyEditor = function (runtime, element) {
    var page = root(element);
    var settings = JSON.parse(page.dataset.settings);
    var tree = page.querySelector(".microcred-tree");
    var search = page.querySelector(".microcred-search");
    var framework = page.querySelector(".microcred-framework");
    var status = page.querySelector(".microcred-status");
    var list = page.querySelector(".microcred-chosen");
    var count = page.querySelector(".microcred-count");
    var empty = page.querySelector(".microcred-empty");
    var chosen = settings.chosen.slice();
    // Of several requests only the answer to the last one is shown.
    var asked = 0;

    function keyOf(one) { return one.framework + "/" + one.item; }
    function placeOf(key) {
      return chosen.findIndex(function (one) { return keyOf(one) === key; });
    }
    function nameOf(one) { return [one.code, one.statement].filter(Boolean).join(" ") || one.item; }

    function ask(url, parameters) {
      var query = new URLSearchParams(Object.assign({ context: settings.context }, parameters));
      return fetch(url + "?" + query, { credentials: "same-origin", headers: { Accept: "application/json" } })
        .then(function (answer) {
          return answer.json().catch(function () { return {}; }).then(function (body) {
            if (!answer.ok) { throw new Error(body.message || String(answer.status)); }
            return body;
          });
        });
    }

    function failed(error) {
      status.textContent = filled("The list could not be read: %(reason)s", { reason: error.message });
    }

    /* --- what is picked --- */

    function showChosen() {
      list.textContent = "";
      chosen.forEach(function (one, place) {
        var line = made("li");
        var text = made("div", "microcred-text");
        if (one.known) {
          if (one.code) { text.append(made("span", "microcred-code", one.code), " "); }
          text.append(one.statement);
          if (one.retired) { text.append(" ", made("span", "microcred-badge is-begun", translated("retired"))); }
        } else {
          text.append(made("span", "microcred-badge is-begun", translated("unknown here")), " ", made("code", "", one.item));
        }
        var weight = made("div", "microcred-weight");
        var field = made("input");
        field.type = "number";
        field.min = "0.001";
        field.max = "1000";
        field.step = "any";
        field.value = one.weight;
        field.setAttribute("aria-label", filled("Weight of %(name)s", { name: nameOf(one) }));
        field.addEventListener("input", function () { one.weight = field.value; });
        var label = made("span", "microcred-hint", translated("Weight"));
        label.setAttribute("aria-hidden", "true");
        weight.append(label, field);
        var remove = made("button", "microcred-remove", translated("Remove"));
        remove.type = "button";
        remove.setAttribute("aria-label", filled("Remove %(name)s", { name: nameOf(one) }));
        remove.addEventListener("click", function () {
          toggle(one, false);
          var rest = list.querySelectorAll(".microcred-remove");
          (rest[Math.min(place, rest.length - 1)] || page.querySelector(".microcred-subtitle[tabindex]")).focus();
        });
        line.append(text, weight, remove);
        list.append(line);
      });
      empty.hidden = chosen.length > 0;
      count.textContent = chosen.length ? "(" + chosen.length + ")" : "";
    }

    function toggle(one, on) {
      var place = placeOf(keyOf(one));
      if (on && place < 0) {
        if (chosen.length >= settings.maximum) {
          status.textContent = filled("At most %(number)s can be picked.", { number: settings.maximum });
          return;
        }
        chosen.push(Object.assign({ known: true, weight: "1" }, one));
        status.textContent = filled("Picked: %(name)s", { name: nameOf(one) });
      } else if (!on && place >= 0) {
        chosen.splice(place, 1);
        status.textContent = filled("Removed: %(name)s", { name: nameOf(one) });
      }
      showChosen();
      tree.querySelectorAll("li[data-key]").forEach(function (line) {
        var is = placeOf(line.dataset.key) >= 0;
        line.setAttribute("aria-selected", String(is));
        line.querySelector(".microcred-tick").textContent = is ? "☑" : "☐";
      });
    }

    /* --- the tree: one tab stop, arrow keys inside (WAI-ARIA tree pattern) --- */

    function lines() {
      return Array.prototype.filter.call(tree.querySelectorAll("li"), function (line) {
        var group = line.parentElement.closest("ul[role=group]");
        while (group) {
          if (group.hidden) { return false; }
          group = group.parentElement.closest("ul[role=group]");
        }
        return true;
      });
    }

    function focusOn(line) {
      if (!line) { return; }
      tree.querySelectorAll("li[tabindex='0']").forEach(function (other) { other.tabIndex = -1; });
      line.tabIndex = 0;
      line.focus();
    }

    function makeLine(one, level, flat) {
      var line = made("li");
      line.setAttribute("role", "treeitem");
      line.setAttribute("aria-level", level);
      line.tabIndex = -1;
      line.dataset.key = keyOf(one);
      line.microcred = one;
      var is = placeOf(line.dataset.key) >= 0;
      line.setAttribute("aria-selected", String(is));
      var node = made("div", "microcred-node");
      var opens = one.children > 0 && !flat;
      node.append(made("span", "microcred-twist", opens ? "▸" : ""));
      node.append(made("span", "microcred-tick", is ? "☑" : "☐"));
      Array.prototype.forEach.call(node.children, function (mark) { mark.setAttribute("aria-hidden", "true"); });
      var text = made("span", "microcred-text");
      if (one.code) { text.append(made("span", "microcred-code", one.code), " "); }
      text.append(one.statement);
      if (flat && one.framework_title) { text.append(" ", made("span", "microcred-hint", one.framework_title)); }
      node.append(text);
      line.append(node);
      line.setAttribute("aria-label", nameOf(one));
      if (opens) { line.setAttribute("aria-expanded", "false"); }
      return line;
    }

    function moreLine(level, load) {
      var line = made("li", "microcred-more");
      line.setAttribute("role", "treeitem");
      line.setAttribute("aria-level", level);
      line.setAttribute("aria-label", translated("Show more"));
      line.tabIndex = -1;
      var node = made("div", "microcred-node");
      node.append(made("span"), made("span"), made("span", "microcred-text", translated("Show more")));
      line.append(node);
      line.microcredLoad = load;
      return line;
    }

    /* Appends a page of competencies, and a line for the next page where there is one. */
    function put(into, parameters, level, flat, number, replace) {
      return ask(settings.searchUrl, parameters).then(function (found) {
        if (number !== asked) { return null; }
        if (replace) { into.textContent = ""; }
        found.results.forEach(function (one) { into.append(makeLine(one, level, flat)); });
        if (found.after) {
          into.append(moreLine(level, function (line) {
            var next = Object.assign({}, parameters, { after: found.after });
            return put(into, next, level, flat, number).then(function () {
              focusOn(line.nextElementSibling);
              line.remove();
            });
          }));
        }
        return found;
      });
    }

    function expand(line, on) {
      var one = line.microcred;
      if (!one || !line.hasAttribute("aria-expanded")) { return; }
      var group = line.querySelector(":scope > ul");
      line.setAttribute("aria-expanded", String(on));
      line.querySelector(".microcred-twist").textContent = on ? "▾" : "▸";
      if (group) { group.hidden = !on; return; }
      if (!on) { return; }
      group = made("ul");
      group.setAttribute("role", "group");
      line.append(group);
      put(group, { framework: one.framework, parent: one.item }, Number(line.getAttribute("aria-level")) + 1, false, asked)
        .catch(function (error) { group.remove(); line.setAttribute("aria-expanded", "false"); failed(error); });
    }

    function pick(line) {
      if (line.microcredLoad) { line.microcredLoad(line).catch(failed); return; }
      toggle(line.microcred, line.getAttribute("aria-selected") !== "true");
    }

    function show() {
      var number = ++asked;
      var text = search.value.trim();
      var parameters = { framework: framework.value };
      if (text) { parameters.text = text; } else { parameters.parent = ""; }
      tree.setAttribute("aria-busy", "true");
      put(tree, parameters, 1, Boolean(text), number, true).then(function (found) {
        if (!found) { return; }
        if (tree.firstElementChild) { tree.firstElementChild.tabIndex = 0; }
        tree.removeAttribute("aria-busy");
        status.textContent = found.results.length
          ? filled(found.after ? "More than %(number)s found; the first ones are shown." : "%(number)s found.", { number: found.results.length })
          : translated("Nothing found.");
      }).catch(function (error) { if (number === asked) { failed(error); } });
    }

    tree.addEventListener("click", function (event) {
      var line = event.target.closest("li");
      if (!line) { return; }
      focusOn(line);
      if (event.target.classList.contains("microcred-twist") && line.hasAttribute("aria-expanded")) {
        expand(line, line.getAttribute("aria-expanded") !== "true");
      } else { pick(line); }
    });

    tree.addEventListener("keydown", function (event) {
      var line = event.target.closest("li");
      if (!line || event.altKey || event.ctrlKey || event.metaKey) { return; }
      var all = lines();
      var at = all.indexOf(line);
      var parent = line.parentElement.closest("li");
      switch (event.key) {
        case "ArrowDown": focusOn(all[at + 1]); break;
        case "ArrowUp": if (at > 0) { focusOn(all[at - 1]); } else { search.focus(); } break;
        case "Home": focusOn(all[0]); break;
        case "End": focusOn(all[all.length - 1]); break;
        case "ArrowRight":
          if (line.getAttribute("aria-expanded") === "false") { expand(line, true); }
          else if (line.getAttribute("aria-expanded") === "true") { focusOn(all[at + 1]); }
          break;
        case "ArrowLeft":
          if (line.getAttribute("aria-expanded") === "true") { expand(line, false); } else { focusOn(parent); }
          break;
        case " ":
        case "Enter": pick(line); break;
        default: return;
      }
      event.preventDefault();
    });

    search.addEventListener("keydown", function (event) {
      if (event.key === "ArrowDown") { focusOn(lines()[0]); event.preventDefault(); }
      if (event.key === "Enter") { event.preventDefault(); }
    });
    var waiting = null;
    search.addEventListener("input", function () {
      window.clearTimeout(waiting);
      waiting = window.setTimeout(show, 200);
    });
    framework.addEventListener("change", show);

    connect(runtime, element, page, function () {
      return {
        display_name: page.querySelector("[name=display_name]").value,
        relation: checked(page, "relation"),
        covers: checked(page, "covers"),
        competencies: chosen.map(function (one) {
          return { framework: one.framework, item: one.item, weight: Number(one.weight) };
        })
      };
    });

    ask(settings.frameworksUrl, {}).then(function (found) {
      found.results.forEach(function (one) {
        var option = made("option", "", filled("%(title)s (%(number)s)", { title: one.title, number: one.items }));
        option.value = one.framework;
        framework.append(option);
      });
    }).catch(failed);
    showChosen();
    show();
  };
}());
