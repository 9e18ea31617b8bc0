// A value for every variable that a channel of alerts can name; each can be recognized.

export const ALERT_SECRETS = {
  TELEGRAM_BOT_TOKEN: "123456:secret-of-telegram",
  TELEGRAM_CHAT_ID: "-1001234567890",
  DISCORD_WEBHOOK_URL: "https://discord.invalid/api/webhooks/secret",
  ALERT_EMAIL_TO: "desk@example.com;ops@example.com",
  SLACK_WEBHOOK_URL: "https://hooks.slack.invalid/secret",
  SLACK_TOKEN: "xoxb-secret",
  PAGERDUTY_INTEGRATION_KEY: "secret0123456789abcdef",
  OPSGENIE_API_KEY: "secret-0123-4567",
  ALERT_WEBHOOK_URL: "http://127.0.0.1:9099/secret",
  HOOK_TOKEN: "secret-token",
};
