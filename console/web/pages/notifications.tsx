export function NotificationsPage() {
  return <h1>notifications</h1>;
}
