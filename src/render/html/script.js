"use strict";
(function () {
  var form = document.querySelector("form");
  if (!form) return;
  var parts = Array.prototype.slice.call(document.querySelectorAll("article,tbody tr"));
  var texts = [];
  form.hidden = false;
  form.addEventListener("submit", function (event) { event.preventDefault(); });
  var told = form.querySelector("output");
  var waiting = 0;
  function apply() {
    var words = form.elements.q.value.toLowerCase().split(/\s+/).filter(Boolean);
    var tools = !form.elements.t || form.elements.t.checked;
    var shown = 0;
    parts.forEach(function (part, at) {
      var fits = tools || !part.classList.contains("tool");
      if (fits && words.length) {
        if (texts[at] === undefined) texts[at] = part.textContent.toLowerCase();
        fits = words.every(function (word) { return texts[at].indexOf(word) >= 0; });
      }
      part.hidden = !fits;
      if (fits) shown += 1;
      part.querySelectorAll("details").forEach(function (details) {
        if (!tools && details.classList.contains("c")) { details.hidden = true; return; }
        details.hidden = false;
        if (words.length && fits) {
          var text = details.textContent.toLowerCase();
          details.open = words.some(function (word) { return text.indexOf(word) >= 0; });
        }
      });
    });
    told.textContent = words.length || !tools ? shown + " of " + parts.length : "";
  }
  form.addEventListener("input", function () {
    clearTimeout(waiting);
    waiting = setTimeout(apply, 120);
  });
  function reveal() {
    var part = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (part) { part.hidden = false; part.scrollIntoView(); }
  }
  window.addEventListener("hashchange", reveal);
})();
