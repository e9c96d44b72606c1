// Finds sections of the pages that have all the words, those with the words in their headings first.
const input = document.getElementById("search");
const found = document.getElementById("found");
const MOST = 20;
const AROUND = 70;

function rank(words, [, page, heading, text]) {
  const titles = [heading.toLowerCase(), page.toLowerCase()];
  const body = text.toLowerCase();
  let points = 0;
  for (const word of words) {
    const place = titles[0].includes(word) ? 3 : titles[1].includes(word) ? 2 : body.includes(word) ? 1 : 0;
    if (place === 0) return 0;
    points += place;
  }
  return points;
}

function line(words, [url, page, heading, text]) {
  const item = document.createElement("li");
  const link = document.createElement("a");
  link.href = found.dataset.root + url;
  link.textContent = page === heading ? page : `${page}: ${heading}`;
  const at = Math.max(0, text.toLowerCase().indexOf(words[0]));
  const excerpt = document.createElement("small");
  excerpt.textContent =
    (at > AROUND ? "… " : "") + text.slice(Math.max(0, at - AROUND), at + 2 * AROUND) + " …";
  item.append(link, document.createElement("br"), excerpt);
  return item;
}

function search() {
  const words = input.value.toLowerCase().split(/\s+/).filter(word => word.length > 1);
  found.hidden = words.length === 0;
  if (found.hidden) return;
  const best = sections
    .map(section => [rank(words, section), section])
    .filter(([points]) => points > 0)
    .sort(([a], [b]) => b - a)
    .slice(0, MOST);
  if (best.length === 0) {
    found.textContent = "No page has all of these words; the classes are searched in the Javadoc.";
    return;
  }
  found.replaceChildren(...best.map(([, section]) => line(words, section)));
}

input.addEventListener("input", search);
found.addEventListener("click", event => { if (event.target.tagName === "A") found.hidden = true; });
document.addEventListener("keydown", event => {
  if (event.key === "Escape") found.hidden = true;
  if (event.key === "/" && document.activeElement !== input) { event.preventDefault(); input.focus(); }
});
