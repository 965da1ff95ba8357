// The stops of a lesson that stands beside the recording: which one is looked at, and the way there and back.

class Stops {
  constructor() {
    this.lesson = document.querySelector(".lesson");
    this.isLesson = this.lesson !== null;
    this.list = [...document.querySelectorAll(".lesson .stop")].map((section) => ({ section, link: section.querySelector("h3 a") }));
    this.last = null; // the stop that was looked at last
    this.back = el("button", { class: "small to-stop", hidden: true, click: () => this.last?.section.scrollIntoView() });
    for (const { link } of this.list) link.addEventListener("click", () => this.leave());
  }

  /** Where there is no room for both, a stop's link leads down to the recording. */
  leave() {
    if (getComputedStyle(this.lesson).position !== "fixed") document.querySelector("body > header").scrollIntoView();
  }

  /** Marks the stop that is looked at; `link` is what the address says. */
  update(link) {
    for (const [index, stop] of this.list.entries()) {
      const isHere = stop.link.hash === `#${link}`;
      setAttribute(stop.link, "aria-current", isHere ? "true" : null);
      if (!isHere) continue;
      this.last = stop;
      this.back.hidden = false;
      setText(this.back, `Back to stop ${index + 1}`);
    }
  }
}
