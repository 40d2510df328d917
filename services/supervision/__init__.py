"""Supervision (督办): clocks that stop for what is nobody's fault, time charged to who held it, cards, and the figures
drawn from them: appraisal, publicity, forecast.
"""
