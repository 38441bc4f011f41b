export function DocumentsPage() {
  return <h1>documents</h1>;
}
