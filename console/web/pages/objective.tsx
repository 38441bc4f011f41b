export function ObjectivePage() {
  return <h1>objective</h1>;
}
