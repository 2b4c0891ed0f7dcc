// BookingTable
