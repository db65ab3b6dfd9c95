"""What a lesson is made of: exercises that mark themselves, and the student's progress through them."""
