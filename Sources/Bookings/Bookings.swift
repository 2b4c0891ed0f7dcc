// Bookings
