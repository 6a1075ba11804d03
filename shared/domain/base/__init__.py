"""What everything else is made of: values, names, the calendar, the audit trail."""
