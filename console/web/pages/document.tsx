export function DocumentPage() {
  return <h1>document</h1>;
}
