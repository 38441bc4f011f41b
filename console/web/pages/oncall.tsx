export function OnCallPage() {
  return <h1>oncall</h1>;
}
