/** Where a keyboard and a screen reader go on when what had the focus is gone: another page, or a button after its own act. */
export function focusContent(): void {
  document.getElementById('main')?.focus({ preventScroll: true });
}
