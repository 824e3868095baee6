// Tabs as the ARIA practices have them: arrows move, one is in the tab order.

/**
 * @param {HTMLElement[]} tabs each controls a panel by aria-controls
 * @param {(panel: HTMLElement) => void} onOpen
 * @returns {(tab: HTMLElement) => void} opens a tab
 */
export function connectTabs(tabs, onOpen) {
  function open(tab) {
    for (const other of tabs) {
      const selected = other === tab;
      other.setAttribute("aria-selected", String(selected));
      other.tabIndex = selected ? 0 : -1;
      panelOf(other).hidden = !selected;
    }
    onOpen(panelOf(tab));
  }
  tabs.forEach((tab, index) => {
    tab.addEventListener("click", () => open(tab));
    tab.addEventListener("keydown", (event) => {
      const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
      if (!step) return;
      const other = tabs[(index + step + tabs.length) % tabs.length];
      open(other);
      other.focus();
    });
  });
  return open;
}

function panelOf(tab) {
  return document.getElementById(tab.getAttribute("aria-controls"));
}
